# The entry file of the example "guestbook": what WSGIScriptAlias points at.
bundle = guestbook.so
