"""Many random networks over a grid: a store of cells, an engine that fills it, tables from it."""
