//! What Redis does with a session in one step. A fence beside each says whose it is.

use redis::Cmd;

/// Writes a session, unless it was claimed by somebody else: then the fence is another's, or the session is gone while the fence
/// is there, as after a claim of one of Node's servers. Where neither is there, both have expired.
const SAVE: &str = "
local fence = redis.call('GET', KEYS[2])
if fence and (fence ~= ARGV[1] or (ARGV[4] == '1' and redis.call('EXISTS', KEYS[1]) == 0)) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
return 1";

/// Takes a session from whoever has it. It stays, so that it can be claimed again.
const CLAIM: &str = "
local session = redis.call('GET', KEYS[1])
if not session then return false end
local before = redis.call('GET', KEYS[2]) or ''
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {session, before}";

/// Deletes a session, unless it was claimed by somebody else.
const END: &str = "
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1], KEYS[2])";

/// The scripts about the sessions with a prefix.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) prefix: String,
}

impl Scripts {
    /// Writes a session that is to live so many milliseconds: 1, or 0 where it is another's.
    pub(super) fn save(
        &self,
        token: &str,
        fence: &str,
        session: &str,
        lifetime: u128,
        was_saved: bool,
    ) -> Cmd {
        let mut command = self.script(SAVE, token, fence);
        command.arg(session).arg(lifetime.to_string());
        command.arg(u8::from(was_saved)).take()
    }

    /// Takes a session: what it is and the fence before, if it is there.
    pub(super) fn claim(&self, token: &str, fence: &str, lifetime: u128) -> Cmd {
        let mut command = self.script(CLAIM, token, fence);
        command.arg(lifetime.to_string()).take()
    }

    /// Deletes a session.
    pub(super) fn end(&self, token: &str, fence: &str) -> Cmd {
        self.script(END, token, fence)
    }

    /// The two keys are in one slot of a Cluster: the braces name what is hashed.
    fn script(&self, script: &str, token: &str, fence: &str) -> Cmd {
        let key = format!("{}{token}", self.prefix);
        let fence_key = format!("{{{key}}}:fence");
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(2).arg(key).arg(fence_key);
        command.arg(fence).take()
    }
}
