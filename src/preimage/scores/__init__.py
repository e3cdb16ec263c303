"""How similar a picture is to its photo; means over photos or networks, and their intervals."""
