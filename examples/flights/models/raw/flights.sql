-- @kind: merge
-- @unique_key: id
-- @incremental: updated_at
-- @description: flights out of New York, as the API gives them; each run asks for what changed
SELECT
    id::BIGINT AS id,
    year::INTEGER AS year,
    month::INTEGER AS month,
    day::INTEGER AS day,
    carrier::VARCHAR AS carrier,
    origin::VARCHAR AS origin,
    dest::VARCHAR AS dest,
    arr_delay::INTEGER AS arr_delay,
    distance::INTEGER AS distance,
    updated_at::VARCHAR AS updated_at
FROM flights_api('flights')
