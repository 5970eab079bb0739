// What scripts have in common. Times are microseconds of Redis's own clock.

/// `now`, and numbers as texts without an exponent.
let scriptClock = """
    local clock = redis.call('TIME')
    local now = clock[1] * 1000000 + clock[2]
    local function whole(number) return string.format('%.0f', number) end

    """

/// `own(key)`: a key that holds a text or nothing. One that has become of another kind is lost data.
let scriptKeys = """
    local function own(key, kind)
      local is = redis.call('TYPE', key).ok
      if is ~= 'none' and is ~= (kind or 'string') then redis.call('DEL', key) end
      return key
    end

    """

/// `isAfter(a, b)`: whether an entry of the log comes after another, by their ids; `lastEntry(log)`: the id of the last one.
let scriptLog = """
    local function isAfter(a, b)
      local first, second = string.match(a, '^(%d+)-(%d+)$')
      local third, fourth = string.match(b, '^(%d+)-(%d+)$')
      if not first or not third then return true end
      first, second, third, fourth = tonumber(first), tonumber(second), tonumber(third), tonumber(fourth)
      return first > third or first == third and second > fourth
    end
    local function lastEntry(log)
      local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
      return last and last[1] or '0-0'
    end

    """
