"""A translator as an artefact: one verified directory per direction."""
