"""The commands of the command line, one file each: thin, lazy, no logic of their own."""
