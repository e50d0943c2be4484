"""`python -m compat_eval`."""

from compat_eval.cli import main

if __name__ == "__main__":
    main()
