"""Files with hidden data of every sort, made by the tests themselves, and the search for it in what comes out."""
