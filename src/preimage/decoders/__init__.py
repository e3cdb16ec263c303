"""Learned ways back from features to pixels: solved in closed form, or trained."""
