"""What each sort of dictionary in a PDF may have (ISO 32000-1, by its tables), and what none may."""

CATALOGUE = {
    *("/Type", "/Pages", "/Version", "/PageLayout", "/Outlines", "/Names", "/Dests", "/AcroForm", "/OCProperties"),
    *("/PageLabels", "/ViewerPreferences"),
}
TRAILER = {"/Root", "/Size", "/Encrypt"}
LAYERS = {"/OCGs", "/D"}
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

_OF_PAGES_AND_MARKS = {
    *("/Nums", "/Names", "/Limits", "/Kids", "/S", "/P", "/St", "/D", "/Next", "/N", "/URI", "/IsMap", "/NewWindow"),
    *("/Title", "/First", "/Last", "/Prev", "/Next", "/Parent", "/Count", "/Dest", "/A", "/C", "/F", "/Dests"),
    *("/Direction", "/ViewArea", "/ViewClip", "/PrintArea", "/PrintClip", "/PrintScaling", "/Duplex"),
    *("/HideToolbar", "/HideMenubar", "/HideWindowUI", "/FitWindow", "/CenterWindow", "/NonFullScreenPageMode"),
}
_OF_LAYERS = {
    *("/OCGs", "/P", "/VE", "/Name", "/Intent", "/Usage", "/BaseState", "/ON", "/OFF", "/AS", "/Order", "/ListMode"),
    *("/RBGroups", "/Locked", "/Event", "/Category", "/View", "/ViewState", "/Print", "/PrintState", "/Export"),
    *("/ExportState", "/Zoom", "/min", "/max", "/PageElement"),
}
_OF_ANNOTATIONS = {
    *("/N", "/R", "/D", "/W", "/S", "/I", "/BC", "/BG", "/CA", "/RC", "/AC", "/RI", "/IX", "/IF", "/TP", "/SW", "/FB"),
}
_OF_RESOURCES = {"/ExtGState", "/ColorSpace", "/Pattern", "/Shading", "/XObject", "/Font", "/ProcSet", "/Properties"}
_OF_STATES = {
    *("/LW", "/LC", "/LJ", "/ML", "/D", "/RI", "/OP", "/op", "/OPM", "/Font", "/BG", "/BG2", "/UCR", "/UCR2", "/TR"),
    *("/TR2", "/FL", "/SM", "/SA", "/BM", "/SMask", "/CA", "/ca", "/AIS", "/TK", "/UseBlackPtComp"),
    # Groups and masks.
    *("/S", "/G", "/BC", "/CS", "/I", "/K"),
}
_OF_FONTS = {
    *("/Name", "/BaseFont", "/FirstChar", "/LastChar", "/Widths", "/FontDescriptor", "/Encoding", "/ToUnicode"),
    *("/FontBBox", "/FontMatrix", "/CharProcs", "/Resources", "/DescendantFonts", "/CIDSystemInfo", "/DW", "/W"),
    *("/DW2", "/W2", "/CIDToGIDMap", "/FontName", "/FontFamily", "/FontStretch", "/FontWeight", "/Flags"),
    *("/ItalicAngle", "/Ascent", "/Descent", "/Leading", "/CapHeight", "/XHeight", "/StemV", "/StemH", "/AvgWidth"),
    *("/MaxWidth", "/MissingWidth", "/FontFile", "/FontFile2", "/FontFile3", "/CharSet", "/Style", "/Panose"),
    *("/CIDSet", "/FD", "/Registry", "/Ordering", "/Supplement", "/BaseEncoding", "/Differences", "/CMapName"),
    *("/WMode", "/UseCMap", "/Length1", "/Length2", "/Length3"),
}
_OF_STREAMS = {
    *("/Length", "/Filter", "/DecodeParms", "/DL", "/Predictor", "/Colors", "/BitsPerComponent", "/Columns"),
    *("/EarlyChange", "/K", "/EndOfLine", "/EncodedByteAlign", "/Rows", "/EndOfBlock", "/BlackIs1"),
    *("/DamagedRowsBeforeError", "/JBIG2Globals", "/ColorTransform"),
}
_OF_COLOURS = {
    *("/N", "/Alternate", "/Range", "/WhitePoint", "/BlackPoint", "/Gamma", "/Matrix", "/Colorants", "/Process"),
    *("/ColorSpace", "/Components", "/Subtype"),
    # Patterns, shadings and functions.
    *("/PatternType", "/PaintType", "/TilingType", "/BBox", "/XStep", "/YStep", "/Resources", "/Shading"),
    *("/ExtGState", "/ShadingType", "/Background", "/AntiAlias", "/Domain", "/Function", "/Coords", "/Extend"),
    *("/BitsPerCoordinate", "/BitsPerFlag", "/Decode", "/VerticesPerRow", "/FunctionType", "/Size"),
    *("/BitsPerSample", "/Order", "/Encode", "/C0", "/C1", "/Functions", "/Bounds"),
}

SEEN = {
    *("/Type", "/Subtype"),
    *(CATALOGUE | FORM_OF_FIELDS | LAYERS | PAGES | PAGE | PICTURE | FORM | MARKED | ANNOTATION | FIELD),
    *(_OF_PAGES_AND_MARKS | _OF_LAYERS | _OF_ANNOTATIONS | _OF_RESOURCES | _OF_STATES | _OF_FONTS | _OF_STREAMS),
    *_OF_COLOURS,
}
"""What any dictionary may have. What a program adds of its own has other names."""

UNSEEN = {
    *("/Metadata", "/PieceInfo", "/LastModified", "/AA", "/JS", "/AF", "/XFA", "/OpenAction", "/Thumb", "/Alternates"),
    *("/StructParent", "/StructParents", "/SE", "/Alt", "/ActualText", "/Lang", "/OPI", "/Measure", "/PtData", "/ID"),
    *("/EmbeddedFiles", "/JavaScript", "/Collection", "/CreationDate", "/ModDate", "/CreatorInfo", "/User"),
    *("/EF", "/UF", "/RF"),
}
"""What none may have, wherever it stands."""

NAMING = {
    *("/Font", "/XObject", "/ExtGState", "/ColorSpace", "/Pattern", "/Shading", "/Properties", "/CharProcs", "/Dests"),
    *("/N", "/R", "/D", "/Colorants"),
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
