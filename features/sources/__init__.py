"""Other standards read into the tables of a registry bundle: FHIR R4, OMOP CDM 5.4, MEDS 0.4."""
