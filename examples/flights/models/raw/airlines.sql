-- @kind: table
SELECT carrier::VARCHAR AS carrier, name::VARCHAR AS name
FROM flights_api('airlines')
