"""`python -m echoel_training` is the command `echoel_training`."""

from .cli import main

if __name__ == "__main__":
    main()
