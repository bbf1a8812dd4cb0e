"""The signed procedure (SOP Pelayanan Pengaduan NKK) as data and pure rules: no broker, no database, no web.

`steps` is the procedure's table, `clock` its working time, `ticket` the reference a reporter is given, `catalogue` the
default categories and agencies, `refusals` how a rule says no.
"""
