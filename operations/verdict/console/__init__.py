"""The console: a page that shows what a stack does, and the server that it is answered by.

The server runs where its operator sits, listens on 127.0.0.1 alone and acts with the operator's own credentials. Nothing
of it runs in AWS. Every request passes `guard`; `page` answers with the three files of the page, which hold no data, and
the tables of routes with JSON.
"""
