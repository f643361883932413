"""The steps of a comparison by room: each module holds plain functions whose names are the values that they give."""
