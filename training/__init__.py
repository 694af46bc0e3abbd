"""Train U-GAT-IT translators; import, evaluate and export their checkpoints."""
