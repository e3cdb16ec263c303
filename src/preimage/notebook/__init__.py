"""How results show themselves: one line of text, a table with pictures in a notebook, a drawing."""
