module relay

go 1.26.0
