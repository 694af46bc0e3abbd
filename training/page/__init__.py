"""What the HTML pages of ugatit-train share: the document, the style, tables."""
