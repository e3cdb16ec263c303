"""How like the photo a picture is, and what a mean over photos or networks is worth."""
