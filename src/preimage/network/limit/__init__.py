"""The fourth reading: what a random network shows of a photo as its width grows, exactly."""
