-- Asks Vestibule whether a request may go on, and for the page when it may not: HAProxy has no action of its own for that. Needs HAProxy 2.5 or later with Lua.
--
-- In: the request, and the argument of the action, which is the URL of /check. Out: the identity headers in the request, our cookies
-- out of it, and the variables txn.vestibule_status ("none": Vestibule did not answer), txn.vestibule_login and
-- txn.vestibule_challenge for the rules that follow.

-- Every header that the route gives its service. Vestibule answers with all of them every time.
local IDENTITY = { "authorization", "x-auth-subject", "x-auth-session", "x-csrf-token", "x-auth-department" }

-- What the decision looks at, beside the request line. Nothing else of the client's reaches Vestibule.
local EVIDENCE = {
  "cookie", "authorization", "x-csrf-token", "origin", "sec-fetch-site", "sec-fetch-mode", "accept",
  -- A WebSocket's handshake is a GET that another site may cause: without these two it would pass for a harmless one.
  "upgrade", "sec-websocket-key",
}

-- All values of a header, as HAProxy holds them: from 0, or nothing.
local function values(headers, name)
  local found = {}
  local held = headers[name]
  local at = 0
  while held ~= nil and held[at] ~= nil do
    found[#found + 1] = held[at]
    at = at + 1
  end
  return found
end

local function first(headers, name)
  return values(headers, name)[1] or ""
end

-- The names of our cookies, letters and digits alone. Over https browsers see them with the prefix `__Host-Http-`.
local OURS = {}
for _, name in ipairs { "vestibule", "vestibulepre", "vestibuledevice", "vestibuleaccess", "vestibulerefresh" } do
  OURS[name] = true
  OURS["hosthttp" .. name] = true
end

-- All patterns in this file take time in proportion to their text: a client chooses up to 48 KiB of it (tune.bufsize less
-- tune.maxrewrite), and while a pattern runs this thread of HAProxy does nothing else. Two repetitions that can match the same character are one too many.

-- Whether a name is read as ours by a program that folds case, or drops quotes, white space and what follows a bracket.
local function reads_like_ours(name)
  local letters = name:match("^[^%[]*"):gsub("%W", "")
  return OURS[letters:lower()] ~= nil
end

-- Whether a cookie is ours, or some program takes it for ours: it decodes escapes, looks past an empty name, or parts cookies at commas
-- and white space as well.
local function is_ours(pair)
  if pair:find("%", 1, true) then
    pair = pair:gsub("%%(%x%x)", function(hex)
      return string.char(tonumber(hex, 16))
    end)
  end
  if reads_like_ours(pair:match("%w[^=]*") or "") then
    return true
  end
  for name in pair:gmatch("[,%s]([^,%s=]*)=") do
    if reads_like_ours(name) then
      return true
    end
  end
  return false
end

-- All cookies but ours, each as it came.
local function without_ours(cookies)
  local kept = {}
  for pair in cookies:gmatch("[^;]+") do
    if not is_ours(pair) then
      kept[#kept + 1] = pair
    end
  end
  return (table.concat(kept, ";"):gsub("^ ", ""))
end

-- An answer of Vestibule's, or nil. The client asks four times before it gives up: five seconds in all. HAProxy then makes up an answer
-- of its own, 502 to 504, which lacks the `no-store` of Vestibule's.
local function ask(url, headers)
  local asked, response = pcall(function()
    return core.httpclient():get { url = url, headers = headers, timeout = 1250 }
  end)
  if not asked or response == nil or response.status == nil or response.status == 0 then
    return nil
  end
  if response.status >= 500 and first(response.headers or {}, "cache-control") ~= "no-store" then
    return nil
  end
  return response
end

local function check(txn, url)
  local client = txn.http:req_get_headers()
  local question = {
    ["x-forwarded-method"] = { txn.sf:method() },
    ["x-forwarded-host"] = { first(client, "host") },
    ["x-forwarded-uri"] = { txn.sf:pathq() },
  }
  for _, name in ipairs(EVIDENCE) do
    local held = values(client, name)
    if #held > 0 then
      question[name] = held
    end
  end

  -- No answer is no yes.
  local status, answer = "none", {}
  local response = ask(url, question)
  if response ~= nil then
    status, answer = response.status, response.headers or {}
  end

  for _, name in ipairs(IDENTITY) do
    local told = first(answer, name)
    if status == 200 and told ~= "" then
      txn.http:req_set_header(name, told)
    else
      txn.http:req_del_header(name)
    end
  end
  local cookies = without_ours(table.concat(values(client, "cookie"), "; "))
  txn.http:req_del_header("cookie")
  if cookies ~= "" then
    txn.http:req_set_header("cookie", cookies)
  end
  txn:set_var("txn.vestibule_status", tostring(status))
  txn:set_var("txn.vestibule_login", first(answer, "x-auth-login"))
  txn:set_var("txn.vestibule_challenge", first(answer, "www-authenticate"))
end

-- What of the page's head goes to the browser.
local PAGE_HEADERS = {
  "cache-control", "content-language", "content-security-policy", "content-type", "cross-origin-opener-policy",
  "cross-origin-resource-policy", "permissions-policy", "referrer-policy",
  "strict-transport-security", "vary", "x-content-type-options", "x-frame-options",
}

-- Ends the request with Vestibule's page for what it said: 400, 403 and 431 as they are, and 503 for all else. Of the request it learns the
-- language alone. Does nothing when there is no such page.
local function page(txn, prefix)
  local status = tonumber(txn:get_var("txn.vestibule_status"))
  if status ~= 400 and status ~= 403 and status ~= 431 then
    status = 503
  end
  local question = { ["accept"] = { "text/html" } }
  local languages = values(txn.http:req_get_headers(), "accept-language")
  if #languages > 0 then
    question["accept-language"] = languages
  end
  local response = ask(prefix .. status, question)
  if response == nil or response.status ~= status or response.body == nil then
    return
  end
  local reply = txn:reply { status = status, body = response.body }
  for _, name in ipairs(PAGE_HEADERS) do
    for _, value in ipairs(values(response.headers or {}, name)) do
      reply:add_header(name, value)
    end
  end
  if status == 503 then
    reply:add_header("retry-after", "5")
  end
  txn:done(reply)
end

-- No service sets or clears a cookie of ours. The variable says that this has run to its end.
local function answered(txn)
  local lines = values(txn.http:res_get_headers(), "set-cookie")
  local kept = {}
  for _, line in ipairs(lines) do
    if not is_ours(line:match("^[^;]*")) then
      kept[#kept + 1] = line
    end
  end
  if #kept < #lines then
    txn.http:res_del_header("set-cookie")
    for _, line in ipairs(kept) do
      txn.http:res_add_header("set-cookie", line)
    end
  end
  txn:set_var("txn.vestibule_answered", "yes")
end

core.register_action("vestibule", { "http-req" }, check, 1)
core.register_action("vestibule_page", { "http-req" }, page, 1)
core.register_action("vestibule_answered", { "http-res" }, answered, 0)
