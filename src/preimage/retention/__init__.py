"""What the layers of a random network retain, at infinite width and on the way there."""
