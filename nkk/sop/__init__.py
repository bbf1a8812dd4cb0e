"""The signed procedure (SOP Pelayanan Pengaduan NKK) as data and pure rules: no broker, no database, no web.

`steps` is the procedure's table, `clock` its working time, `ticket` the reference of a complaint, `catalogue` the
default categories and agencies, `refusals` the errors with which a rule refuses a command.
"""
