"""What the HTML pages of ugatit-train and ugatit translate share: the document, the style, tables."""
