"""The paper's claims, one file each: what is computed, how it is drawn, and what it shows."""
