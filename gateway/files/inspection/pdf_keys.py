"""What each sort of dictionary in a PDF may have (ISO 32000-1, by its tables), and what none may."""

CATALOGUE = {
    *("/Type", "/Pages", "/Version", "/PageLayout", "/Outlines", "/Names", "/Dests", "/AcroForm", "/OCProperties"),
    *("/PageLabels", "/ViewerPreferences", "/Extensions"),
}
TRAILER = {"/Root", "/Size", "/ID", "/Encrypt"}
FORM_OF_FIELDS = {"/Fields", "/DR", "/DA", "/Q", "/NeedAppearances"}
PAGES = {"/Type", "/Parent", "/Kids", "/Count", "/Resources", "/MediaBox", "/CropBox", "/Rotate"}
PAGE = {
    *("/Type", "/Parent", "/Resources", "/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox", "/Contents"),
    *("/Rotate", "/Annots", "/Group", "/UserUnit"),
}
PICTURE = {
    *("/Type", "/Subtype", "/Width", "/Height", "/ColorSpace", "/BitsPerComponent", "/Intent", "/ImageMask", "/Mask"),
    *("/Decode", "/Interpolate", "/SMask", "/SMaskInData", "/Matte", "/Name", "/OC"),
    *("/Filter", "/DecodeParms", "/Length"),
}
FORM = {
    *("/Type", "/Subtype", "/FormType", "/BBox", "/Matrix", "/Resources", "/Group", "/Name", "/OC"),
    *("/Filter", "/DecodeParms", "/Length"),
}
MARKED = {"/Type", "/Name", "/OCGs", "/P", "/VE", "/Intent"}
"""Of what marks a part of a page: layers, and nothing else."""

ANNOTATION = {
    *("/Type", "/Subtype", "/Rect", "/F", "/AP", "/AS", "/Border", "/BS", "/BE", "/C", "/IC", "/CA", "/ca", "/RD"),
    *("/QuadPoints", "/L", "/LE", "/LL", "/LLE", "/LLO", "/CL", "/Vertices", "/InkList", "/DA", "/Q", "/H", "/OC"),
    *("/A", "/Dest", "/P"),
}
FIELD = {
    *("/FT", "/T", "/V", "/DV", "/Ff", "/MK", "/Opt", "/MaxLen", "/TI", "/I", "/Parent", "/Kids", "/Contents"),
}
"""What a form's field has besides; it is held together by the names of its fields."""

SEEN_ANNOTATIONS = {
    *("/Link", "/FreeText", "/Line", "/Square", "/Circle", "/Polygon", "/PolyLine", "/Highlight", "/Underline"),
    *("/Squiggly", "/StrikeOut", "/Stamp", "/Caret", "/Ink", "/Widget"),
}

UNSEEN = {
    *("/Metadata", "/PieceInfo", "/LastModified", "/AA", "/JS", "/AF", "/XFA", "/OpenAction", "/Thumb", "/Alternates"),
    *("/StructParent", "/StructParents", "/SE", "/Alt", "/ActualText", "/Lang", "/OPI", "/Measure", "/PtData", "/ID"),
    *("/EmbeddedFiles", "/JavaScript", "/Collection", "/CreationDate", "/ModDate", "/CreatorInfo", "/User"),
    *("/EF", "/UF", "/RF"),
}
"""What none may have, wherever it stands."""

NAMING = {
    *("/Font", "/XObject", "/ExtGState", "/ColorSpace", "/Pattern", "/Shading", "/Properties", "/CharProcs", "/Dests"),
    *("/N", "/R", "/D"),
}
"""Keys of dictionaries whose own keys are names that a program chose, and which may be any of the above."""

ACTIONS = {
    *(
        "/Launch",
        "/GoToR",
        "/GoToE",
        "/Thread",
        "/Sound",
        "/Movie",
        "/Hide",
        "/SubmitForm",
        "/ResetForm",
        "/ImportData",
    ),
    *("/JavaScript", "/SetOCGState", "/Rendition", "/Trans", "/GoTo3DView", "/RichMediaExecute"),
}
"""Actions that are not kept: all but those that lead to a page, and to the web."""
