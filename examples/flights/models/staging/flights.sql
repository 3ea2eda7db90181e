-- @kind: merge
-- @unique_key: id
-- @description: one typed row a flight
SELECT
    id,
    make_date(year, month, day) AS flight_date,
    carrier,
    origin || '-' || dest AS route,
    arr_delay,
    distance
FROM raw.flights
