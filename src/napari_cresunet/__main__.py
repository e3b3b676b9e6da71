"""`python -m napari_cresunet` is the command `napari-cresunet`; torchrun needs it."""

from napari_cresunet.cli import main

if __name__ == "__main__":
    main()
