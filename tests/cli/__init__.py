from tests.command import ROOT as ROOT
from tests.command import Called as Called
from tests.command import safeconvert as safeconvert
