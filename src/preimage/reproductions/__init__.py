"""One module a family of figures: `run(config)` computes, draws and yields its findings."""
