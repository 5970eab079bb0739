internal import Redis

// The scripts of membership and quotas. Times in scripts are microseconds of Redis's own clock. A script changes nothing before it has read
// all that it needs, and its effects, not its text, are what replicas get.

/// Who is there. A member is kept as "heard seat log-id leased place": when it last gave a sign of life, its seat (-1: none), the last entry
/// of the log that it has acted on, when it last said that it reads the log, and where it runs (-: not told). The field `*` has the
/// generation: without it the members were lost.
private let census =
    scriptClock + """
        -- `born`: signs of life before it were given to another server, and say nothing. `place`: a silent member there has ended.
        local function census(all, me, seats, silence, forget, born, place)
          local taken, live, silent, mine, old, heard_of = {}, 0, 0, nil, {}, {}
          for i = 1, #all, 2 do
            local heard, seat, at = string.match(all[i + 1], '^(%d+) (%-?%d+) %S+ %d+ ?(%S*)')
            if all[i] == '*' then
            elseif not heard then old[#old + 1] = all[i]
            elseif all[i] == me then mine = tonumber(seat)
            else
              local age = now - tonumber(heard)
              -- A sign of life from the future is void: the clock was set back.
              if age < -1000000 then age = silence + 1 end
              local isSilent = age > silence or tonumber(heard) < born
              if age > forget or isSilent and at == place and at ~= '-' then old[#old + 1] = all[i]
              elseif tonumber(seat) >= 0 then
                taken[tonumber(seat)] = true
                if isSilent then silent = silent + 1
                else
                  live = live + 1
                  heard_of[tonumber(seat)] = true
                end
              end
            end
          end
          return taken, live, silent, mine, old, heard_of
        end

        """

/// A sign of life. KEYS: members, generation, log, changes, epochs, writes. ARGV: name, seat (-1: none yet), seats, silence, forget, last
/// log id, 1 if it reads the log, the lease, its place (-: not told), 1 if its last sign was acknowledged in time.
///
/// A member whose signs come and whose replies are late uses the time slots of its seat: it counts as silent until it says that one was acknowledged.
///
/// A silent member at the same place has ended, and its seat is free at once: two processes cannot serve one address.
///
/// A lease that runs is renewed: a writer waits for its member. One that is over begins anew only for a member that has acted on all entries,
/// because writers have not waited for it meanwhile.
///
/// The generation names the data and the server: it is another one when either was replaced, since a new primary may lack the last writes.
/// Keys that have become of another kind, epochs that are gone (the field `*` has the generation, as with the members), and a log that ends
/// before what a member has read are lost data.
/// Changes in who is there are kept with their time, as "generation live silent at".
///
/// Returns generation, seat, live members, silent seats, the time, 1 if the lease runs from this sign on.
let beatScript = RedisScript(
    census + scriptKeys + scriptLog + """
        local me, seats, forget = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[5])
        local isWhole = true
        for i, kind in ipairs({'hash', 'string', 'stream', 'string', 'hash', 'hash'}) do
          local before = redis.call('EXISTS', KEYS[i])
          if redis.call('EXISTS', own(KEYS[i], kind)) < before then isWhole = false end
        end
        local last = lastEntry(KEYS[3])
        if isAfter(ARGV[6], last) then isWhole = false end
        local generation = redis.call('GET', KEYS[2]) or ''
        if redis.call('HGET', KEYS[5], '*') ~= generation then isWhole = false end
        local born, server = string.match(generation, '^(%d+)-(%w+)$')
        born = tonumber(born)
        local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or '0'
        -- A clock that was set back makes a new generation, too: what it says of ages is wrong.
        -- So does the loss of the members.
        if not isWhole or not born or born > now or server ~= run or redis.call('HGET', KEYS[1], '*') ~= generation then
          born = now
          generation = whole(now) .. '-' .. run
          redis.call('SET', KEYS[2], generation)
          redis.call('HSET', KEYS[1], '*', generation)
          -- The pages of other data are void whatever their epochs.
          redis.call('DEL', KEYS[5])
          redis.call('HSET', KEYS[5], '*', generation)
        end
        local all = redis.call('HGETALL', KEYS[1])
        local taken, live, silent, mine, old = census(all, me, seats, tonumber(ARGV[4]), forget, born, ARGV[9])
        if not mine or mine < 0 or mine >= seats or taken[mine] then
          local had = tonumber(ARGV[2])
          mine = -1
          if had >= 0 and had < seats and not taken[had] then mine = had
          else
            for seat = 0, seats - 1 do if not taken[seat] then mine = seat; break end end
          end
        end
        if mine >= 0 then live = live + 1 end
        -- After a loss of data, who is not here may be using its seat.
        if now - born < forget then silent = math.max(silent, seats - live) end
        for _, name in ipairs(old) do redis.call('HDEL', KEYS[1], name) end
        local state = generation .. ' ' .. live .. ' ' .. silent
        if string.match(redis.call('GET', KEYS[4]) or '', '^(.*) %d+$') ~= state then
          redis.call('SET', KEYS[4], state .. ' ' .. whole(now))
        end
        local leased, isLeased = string.match(redis.call('HGET', KEYS[1], me) or '', '^%d+ %-?%d+ %S+ (%d+)') or '0', 0
        if ARGV[7] == '1' then
          if now - tonumber(leased) <= tonumber(ARGV[8]) or last == ARGV[6] then
            leased, isLeased = whole(now), 1
          end
        end
        local heard = ARGV[10] == '1' and now or now - tonumber(ARGV[4]) - 1
        redis.call('HSET', KEYS[1], me, whole(heard) .. ' ' .. mine .. ' ' .. ARGV[6] .. ' ' .. leased .. ' ' .. ARGV[9])
        return {generation, mine, live, silent, whole(now), isLeased}
        """)

/// The members, for operators. KEYS: members. Returns the time, then names and values in turn.
let membersScript = RedisScript(
    scriptClock + """
        local all = redis.call('HGETALL', KEYS[1])
        table.insert(all, 1, whole(now))
        return all
        """)

/// `share(text, full)`: the millionths of the full rate that a cut leaves, and when it was made (0: never). It grows by a thousandth of the full rate
/// for each token that the full rate would have given. `full`: nanoseconds from token to token.
private let regrowth = """
    local function share(text, full)
      local cut, at = string.match(text or '', '^(%d+) (%d+)$')
      if not cut then return 1000000, 0 end
      return math.min(1000000, tonumber(cut) + math.max(0, now - tonumber(at)) * 1000000 / full), tonumber(at)
    end

    """

/// Reserves the next slots of a quota group: the generic cell rate algorithm, as `TokenBucket` has it. KEYS: bucket, members, generation, cut,
/// hold. ARGV: name, nanoseconds from token to token, burst, jitter, horizon, slots asked for, the bucket as the caller saw it last, seats,
/// silence, forget. A bucket is "full-at interval burst", the interval in nanoseconds, and behind it "time-slot used" if slots of the timetable were
/// the last. Times are microseconds where nothing else is said.
///
/// Members that are silent may be sending in the time slots of their seats (`Membership.cycle`, `SlotCycle`), or on another server. While there
/// are any, the slots that are granted are the time slots of all other seats: whoever does not know of the others keeps to the same
/// timetable, and so does not meet them. The timetable leaves a tenth of the rate free.
///
/// Returns the number of slots (0: none), the delay until the first of them or until the next question, the bucket, the share of the rate in
/// millionths, the interval between slots, the time.
let takeScript = RedisScript(
    census + scriptKeys + regrowth + """
        local me, seats, forget = ARGV[1], tonumber(ARGV[8]), tonumber(ARGV[10])
        local full, burst, horizon = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[5])
        local born = tonumber(string.match(redis.call('GET', KEYS[3]) or '', '^(%d+)-') or '')
        local taken, _, _, mine, _, present = census(
          redis.call('HGETALL', KEYS[2]), me, seats, tonumber(ARGV[9]), forget, born or now, '-')
        if mine and mine >= 0 then taken[mine], present[mine] = true, true end
        -- The places in the timetable of those who are away. After a loss of data, who is not here may be using its seat.
        local isYoung = not born or now - born < forget
        local function gcd(a, b) if b == 0 then return a end return gcd(b, a % b) end
        local stride = math.max(1, math.floor(seats * 0.618 + 0.5))
        while gcd(stride, seats) ~= 1 do stride = stride + 1 end
        local away, isTimed = {}, false
        for seat = 0, seats - 1 do
          if not present[seat] and (taken[seat] or isYoung) then away[seat * stride % seats], isTimed = true, true end
        end
        local part = share(redis.call('GET', own(KEYS[4])), full) / 1000000
        local stored = redis.call('GET', own(KEYS[1]))
        local function refusal(delay, bucket)
          return {0, math.ceil(delay), bucket or '', math.floor(part * 1000000), 0, whole(now)}
        end
        local held = redis.call('PTTL', KEYS[5])
        if held > 0 then return refusal(held * 1000, stored) end
        local interval = math.ceil(full / part)
        local span = interval / 1000
        local every = math.floor(full / 9) * 10 + 10
        local batch = math.max(1, math.floor(20000000 / every))
        if isTimed then burst = batch end
        local jitter = math.min(tonumber(ARGV[4]), span * (burst - 1))
        local isClamped = false
        -- How many tokens are missing, as one reading of the bucket has it.
        local function missing(text)
          local at, every, size = string.match(text or '', '^(%d+) (%d+) (%d+)')
          if not at then return nil end
          local count = math.max(0, tonumber(at) - now) * 1000 / tonumber(every) + burst - tonumber(size)
          local most = burst + horizon / span + 1
          if count > most then
            -- A clock that was set back.
            count, isClamped = most, true
          end
          return math.max(0, count)
        end
        local count, seen = missing(stored), missing(ARGV[7])
        if seen and not count then
          -- The bucket was lost, and with it how many slots are out: as many as can be.
          count, isClamped = burst + horizon / span, true
        elseif seen and seen > count then
          -- What a failover has lost.
          count = seen
        end
        -- A bucket that nobody has seen is empty.
        count = count or burst
        local last, used = string.match(stored or '', '^%d+ %d+ %d+ (%d+) (%d+)$')
        last, used = tonumber(last or '0'), tonumber(used or '0')
        local function text(at, rest) return whole(at) .. ' ' .. whole(interval) .. ' ' .. burst .. (rest or '') end

        if isTimed then
          local slot = every * batch / 1000
          local number = math.max(last, math.ceil((now + math.max(0, (count + 1 - burst) * span)) / slot))
          if number > last then used = 0 elseif used >= batch then number, used = number + 1, 0 end
          local steps = 0
          while away[number % seats] and steps < seats do number, used, steps = number + 1, 0, steps + 1 end
          if steps == seats then return refusal(tonumber(ARGV[9]), stored) end
          local first = number * slot
          local late = first - now - horizon
          if late > 0 then
            if isClamped then redis.call('SET', KEYS[1], text(now + count * span)) end
            return refusal(late, text(now + count * span))
          end
          local slots = math.min(tonumber(ARGV[6]), batch - used)
          local bucket = text(math.max(first, now + count * span) + slots * span, ' ' .. whole(number) .. ' ' .. (used + slots))
          redis.call('SET', KEYS[1], bucket)
          return {slots, math.ceil(first - now), bucket, math.floor(part * 1000000), math.ceil(every / 1000), whole(now)}
        end

        -- The others' time slots are in no bucket.
        if last > 0 then count, isClamped = math.max(count, burst), true end
        local first = now + math.max(0, (count + 1 - burst) * span + jitter)
        local late = first - now - horizon
        if late > 0 then
          if isClamped then redis.call('SET', KEYS[1], text(now + count * span)) end
          return refusal(late, text(now + count * span))
        end
        local slots = math.min(tonumber(ARGV[6]), 1 + math.floor(-late / span))
        local bucket = text(now + (count + slots) * span)
        redis.call('SET', KEYS[1], bucket)
        return {slots, math.ceil(first - now), bucket, math.floor(part * 1000000), math.ceil(span), whole(now)}
        """)

/// Cuts the rate of a quota group, because the service has throttled. KEYS: cut, bucket, changes. ARGV: when the attempt was sent, nanoseconds from
/// token to token, burst, the decrease and the least share in millionths, the time that a change takes.
///
/// While members are silent, or have just changed, slots of two kinds may have met: the bucket is emptied, and the rate stays.
///
/// Returns 1 if it was cut, 0 if not, or if the attempt was sent before the last cut.
let cutScript = RedisScript(
    scriptClock + scriptKeys + regrowth + """
        local full = tonumber(ARGV[2])
        local share, at = share(redis.call('GET', own(KEYS[1])), full)
        if tonumber(ARGV[1]) <= at then return 0 end
        local silent, changed = string.match(redis.call('GET', own(KEYS[3])) or '', ' (%d+) (%d+)$')
        if changed and (tonumber(silent) > 0 or now - tonumber(changed) < tonumber(ARGV[6])) then
          local at = tonumber(string.match(redis.call('GET', own(KEYS[2])) or '', '^(%d+) ') or '0')
          local empty = now + (tonumber(ARGV[3]) + 1) * full / 1000
          redis.call('SET', KEYS[2], whole(math.max(at, empty)) .. ' ' .. whole(full) .. ' ' .. ARGV[3])
          return 0
        end
        share = math.max(tonumber(ARGV[5]), share * tonumber(ARGV[4]) / 1000000)
        -- Until the rate is whole again.
        local rest = math.ceil((1000000 - share) * full / 1000000 / 1000) + 1000
        redis.call('SET', KEYS[1], whole(share) .. ' ' .. whole(now), 'PX', rest)
        redis.call('SET', KEYS[2], whole(now + tonumber(ARGV[3]) * full / 1000) .. ' ' .. whole(full) .. ' ' .. ARGV[3])
        return 1
        """)

/// Compares the quotas of this gateway with those that others have named last, and names its own. KEYS: quotas. ARGV: the milliseconds that they
/// stay, then groups and quotas in turn. Returns the groups whose quota was another one.
let compareScript = RedisScript(
    scriptKeys + """
        own(KEYS[1], 'hash')
        local differing = {}
        for i = 2, #ARGV, 2 do
          local theirs = redis.call('HGET', KEYS[1], ARGV[i])
          if theirs and theirs ~= ARGV[i + 1] then differing[#differing + 1] = ARGV[i] end
          redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
        end
        redis.call('PEXPIRE', KEYS[1], ARGV[1])
        return differing
        """)

/// Holds a quota group. KEYS: hold. ARGV: milliseconds. A longer hold stays.
let holdScript = RedisScript(
    """
    if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end
    return 1
    """)
