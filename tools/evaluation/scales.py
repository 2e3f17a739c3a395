"""Micrometres per pixel of the labelled pictures, from the data's own README."""

FIELD_UM_PER_PX = {
    "fields/deepbionet": 0.127,
    "fields/bccd": 0.0706,
    "fields/chula_rbc12": 0.190,
    "fields/txl/360x363": 0.100,
    "fields/txl/366x369": 0.100,
    "fields/txl/575x575": 0.0822,
    # Measured from its red-cell boxes: median 77 px for a 7.4 µm box, as loose as in the other folders.
    "fields/txl/416x416": 0.096,
    "fields/aslan": 0.134,
    "fields/thesis": 0.20,
    "fields/taleqani": 0.116,
}
"""Of fields with boxes or points, by folder."""
MASK_UM_PER_PX = {"krd_wbc": 0.097, "seg_wbc": 0.17, "sigtuple": 0.24, "bccd": 0.0706}
"""Of pictures with pixel masks, by set."""
CROP_UM_PER_PX = 0.150
"""Of single cells, whatever their set."""
