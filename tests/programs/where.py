"""Print where safeconvert is imported from."""

import safeconvert

print(safeconvert.__file__)
