"""One description, four readings: mirror, shapes, torch module, infinite-width limit."""
