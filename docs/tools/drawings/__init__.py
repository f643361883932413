"""Pictures of the documentation, each drawn by the code that it explains.

python -m docs.tools.drawings            # all of them, into docs/images
python -m docs.tools.drawings value-functions --folder /tmp
"""
