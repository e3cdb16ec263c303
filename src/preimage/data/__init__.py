"""Photos in, records out: files, archives, crops; checkpoints, tables, progress bars."""
