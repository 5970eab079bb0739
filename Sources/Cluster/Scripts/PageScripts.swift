internal import Redis

// The scripts of pages and writes. The log is a stream; the field `t` of an entry tells its kind:
//
//     b  a write begins: i its id, s the scopes ("3,1030"), d until when its end must be heard of
//     r  epochs were raised: s the scopes and their epochs ("3:7,1030:2"), i the write's id
//     x  a write of which nothing was sent has ended: i its id
//     p  a flight has ended that others wait for: k the page's name
//     u  a purge: q the request, s as of `r`, n the member that purges

/// The head of the log, and the epochs. KEYS: generation, epochs, writes, log. ARGV: the last entry that was read, empty if none was.
///
/// Returns generation, 1 if no entry behind the last one is missing, the last entry's id, the epochs in pairs, the writes under way in
/// pairs, the time.
let joinScript = RedisScript(
    scriptClock + """
        local first = redis.call('XRANGE', KEYS[4], '-', '+', 'COUNT', 1)[1]
        local last = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)[1]
        local isGapless = 0
        if ARGV[1] ~= '' and first then
          -- The last entry that was read is there still, so nothing behind it was trimmed.
          if redis.call('XRANGE', KEYS[4], ARGV[1], ARGV[1], 'COUNT', 1)[1] then isGapless = 1 end
        end
        return {
          redis.call('GET', KEYS[1]) or '', isGapless, last and last[1] or '0-0',
          redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3]), whole(now),
        }
        """)

/// `areEpochs(generation key, epochs key, generation, scope, its epoch, …)`: whether they are those of now. Epochs of another generation are lost.
private let comparing = """
    local function areEpochs(current, epochs, generation, scope, one, service, other)
      local known = redis.call('HMGET', epochs, '*', scope, service)
      return redis.call('GET', current) == generation and known[1] == generation
        and (known[2] or '0') == one and (known[3] or '0') == other
    end

    """

/// Looks a page up, or takes its flight. KEYS: page, flight, epochs, generation. ARGV: name, milliseconds of the flight, scope, its service's
/// scope, 1 if an older page is wanted.
///
/// Returns 1 with a fresh page, 2 if another gateway fetches it, 3 if this one is to, an older page if there is one and it is wanted; the time.
let lookScript = RedisScript(
    scriptClock + scriptKeys + comparing + """
        local time = whole(now)
        local page = redis.call('GET', own(KEYS[1]))
        if page then
          local fresh, generation, scope, service = string.match(page, '^(%d+) %d+ (%S+) (%d+) (%d+) ')
          if not fresh or not areEpochs(KEYS[4], KEYS[3], generation, ARGV[3], scope, ARGV[4], service) then page = nil
          elseif tonumber(fresh) > now then return {1, page, time} end
        end
        local older = ARGV[5] == '1' and page or ''
        local flight = redis.call('GET', own(KEYS[2]))
        -- One without an end was not set by this script.
        if flight and redis.call('PTTL', KEYS[2]) < 0 then flight = nil end
        if flight and flight ~= ARGV[1] and flight ~= ARGV[1] .. ' +' then
          if string.sub(flight, -2) ~= ' +' then redis.call('SET', KEYS[2], flight .. ' +', 'KEEPTTL') end
          return {2, older, time}
        end
        redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
        return {3, older, time}
        """)

/// Ends a flight, and tells those that wait for it.
private let endOfFlight =
    scriptKeys + """
        local flight = redis.call('GET', own(KEYS[1]))
        if flight == ARGV[1] or flight == ARGV[1] .. ' +' then
          redis.call('DEL', KEYS[1])
          if flight ~= ARGV[1] then redis.call('XADD', KEYS[2], 'MAXLEN', '~', '10000', '*', 't', 'p', 'k', ARGV[2]) end
        end

        """

/// Stores a page, unless it has become void since it was asked for or there is a newer one, and ends its flight. KEYS: flight, log, page, epochs,
/// generation. ARGV: name, the page's name, the page, milliseconds that it lives, scope, its service's scope, their epochs, generation,
/// fetched at. Returns 1 if it was stored.
let putScript = RedisScript(
    scriptClock + endOfFlight + comparing + """
        local stored = 0
        if areEpochs(KEYS[5], KEYS[4], ARGV[9], ARGV[5], ARGV[7], ARGV[6], ARGV[8]) then
          -- One of other data, or of a later time than now, is no newer page: the server or its clock is another one.
          local old, generation = string.match(redis.call('GETRANGE', own(KEYS[3]), 0, 127), '^%d+ (%d+) (%S+) ')
          old = generation == ARGV[9] and tonumber(old) or 0
          if old < tonumber(ARGV[10]) or old > now then
            redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[4])
            stored = 1
          end
        end
        return stored
        """)

/// Ends a flight without a page. KEYS: flight, log. ARGV: name, the page's name.
let releaseScript = RedisScript(endOfFlight + "return 1")

/// Announces a write. KEYS: writes, log. ARGV: id, scopes, microseconds until its end must be heard of. Returns the entry's id.
let beginScript = RedisScript(
    scriptClock + """
        local until_ = whole(now + tonumber(ARGV[3]))
        redis.call('HSET', KEYS[1], ARGV[1], until_ .. ' ' .. ARGV[2])
        return redis.call('XADD', KEYS[2], 'MAXLEN', '~', '10000', '*', 't', 'b', 'i', ARGV[1], 's', ARGV[2], 'd', until_)
        """)

/// `raise(scopes)`: raises their epochs. KEYS: epochs in the second place, generation in the last. Returns `scope:epoch` pairs between commas.
private let raising =
    scriptClock + """
        local function raise(scopes)
          local raised = {}
          for scope in string.gmatch(scopes, '%d+') do
            local had = tonumber(redis.call('HGET', KEYS[2], scope) or '0') or -1
            if not (had >= 0 and had <= now + 1000000) then
              -- No script has written it, or the clock was set back: the data count as lost.
              redis.call('DEL', KEYS[2], KEYS[#KEYS])
              had = 0
            end
            -- Never a value that was there before, also when the epochs were lost: not even in the same microsecond.
            local epoch = whole(math.max(had + 1, now))
            redis.call('HSET', KEYS[2], scope, epoch)
            raised[#raised + 1] = scope .. ':' .. epoch
          end
          return table.concat(raised, ',')
        end

        """

/// `finish(id, scopes)`: the end of a write. KEYS: writes, epochs, log, generation.
private let finishing =
    raising + """
        local function finish(id, scopes)
          local raised = raise(scopes)
          local entry = redis.call('XADD', KEYS[3], 'MAXLEN', '~', '10000', '*', 't', 'r', 's', raised, 'i', id)
          -- Last: what fails before it is tried again.
          redis.call('HDEL', KEYS[1], id)
          return {entry, raised}
        end

        """

/// Ends a write, and makes the pages of its scopes void. KEYS: writes, epochs, log, generation. ARGV: id, scopes. Returns the entry's id and the
/// raised epochs.
let endScript = RedisScript(finishing + "return finish(ARGV[1], ARGV[2])")

/// Ends a write in place of its gateway, which has not said in time what became of it, as `endScript` does. KEYS: as there. ARGV: id.
let expireScript = RedisScript(
    finishing + """
        local write = redis.call('HGET', KEYS[1], ARGV[1])
        if not write then return false end
        return finish(ARGV[1], string.match(write, ' (.*)$') or '')
        """)

/// Ends a write of which nothing was sent. KEYS: writes, log. ARGV: id.
let dropScript = RedisScript(
    """
    redis.call('HDEL', KEYS[1], ARGV[1])
    return redis.call('XADD', KEYS[2], 'MAXLEN', '~', '10000', '*', 't', 'x', 'i', ARGV[1])
    """)

/// A purge. KEYS: log, epochs, generation. ARGV: the request, the scopes whose shared pages are dropped, name. Returns the entry's id and the
/// raised epochs.
let purgeScript = RedisScript(
    raising + """
        local raised = raise(ARGV[2])
        local request = {'t', 'u', 'q', ARGV[1], 's', raised, 'n', ARGV[3]}
        return {redis.call('XADD', KEYS[1], 'MAXLEN', '~', '10000', '*', unpack(request)), raised}
        """)

/// Who has acted on an entry of the log. KEYS: members, generation, log. ARGV: name, the entry's id, the lease.
///
/// Who has read more than there is has read another log.
///
/// While the data are younger than a lease, members of the data before them may have one of which nothing is known: one more is pending then.
///
/// Returns the members whose lease runs and who have not, and all whose lease runs; the caller is in neither.
let acknowledgedScript = RedisScript(
    scriptClock + scriptLog + """
        local last = lastEntry(KEYS[3])
        local pending, all = 0, 0
        local members = redis.call('HGETALL', KEYS[1])
        for i = 1, #members, 2 do
          local read, leased = string.match(members[i + 1], '^%d+ %-?%d+ (%S+) (%d+)')
          if members[i] ~= ARGV[1] and read and math.abs(now - tonumber(leased)) <= tonumber(ARGV[3]) then
            all = all + 1
            if isAfter(ARGV[2], read) or isAfter(read, last) then pending = pending + 1 end
          end
        end
        local born = tonumber(string.match(redis.call('GET', KEYS[2]) or '', '^(%d+)-') or '')
        if not born or now - born <= tonumber(ARGV[3]) then pending, all = pending + 1, all + 1 end
        return {pending, all}
        """)
