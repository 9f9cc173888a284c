"""The clinician's page: server-rendered, no outside host, nothing stored."""
