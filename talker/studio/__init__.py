"""The rendered corpus: who speaks, what is heard, what the face does, and how a camera sees it."""
