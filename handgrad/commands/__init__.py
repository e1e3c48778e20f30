"""The commands of the `handgrad` command line, one file each; a new command is added here."""
