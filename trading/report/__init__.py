"""What trades came to, as a page for people: one file that needs no other."""
