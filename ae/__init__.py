"""ae: autoencoders in PyTorch's words, trained with minigrad; `python -m ae train` is the way in."""
