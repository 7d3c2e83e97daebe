use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::{
    env,
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use tempfile::TempDir;
use tokio::time::sleep;

/// A program that runs until it is dropped, in a folder of its own.
#[derive(Debug)]
pub struct Process {
    program: PathBuf,
    arguments: Vec<OsString>,
    child: Mutex<Child>,
    folder: TempDir,
}

impl Process {
    /// Starts a program. `arguments` are made for its folder.
    ///
    /// # Panics
    ///
    /// Panics when it can't be started.
    pub fn start(program: &str, arguments: impl FnOnce(&str) -> Vec<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let path = folder.path().to_str().expect("a path in UTF-8");
        let arguments: Vec<_> = arguments(path).into_iter().map(Into::into).collect();
        let program = find(program);
        let child = spawn(&program, &arguments, &folder);
        Self {
            program,
            arguments,
            child: Mutex::new(child),
            folder,
        }
    }

    /// Ends it without a warning, as a power cut does. Its folder stays.
    pub fn kill(&self) {
        let mut child = self.child();
        // It may have ended by itself.
        child.kill().ok();
        child.wait().ok();
    }

    /// Has it stand still, and waits until all its threads do. Its connections stay open, and nobody answers on them.
    ///
    /// # Panics
    ///
    /// Panics when it has ended.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
        let pid = WaitId::Pid(Pid::from_child(&self.child()));
        let stopped = waitid(pid, WaitIdOptions::STOPPED);
        assert!(
            matches!(stopped, Ok(Some(_))),
            "it stands still: {stopped:?}"
        );
    }

    /// Has it go on after [`stop`](Self::stop).
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Ends it as an operator does, and waits until it has ended. Its folder stays.
    ///
    /// # Panics
    ///
    /// Panics when it can't be waited for.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
        self.child().wait().expect("it is our child");
    }

    /// The same, without keeping others of this thread from what they do: the program may wait for them.
    ///
    /// # Panics
    ///
    /// Panics when it can't be waited for.
    pub async fn end(&self) {
        self.signal(Signal::TERM);
        while self.child().try_wait().expect("it is our child").is_none() {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Starts it once more, with the same arguments, in the same folder.
    ///
    /// # Panics
    ///
    /// Panics when it can't be started.
    pub fn restart(&self) {
        self.kill();
        *self.child() = spawn(&self.program, &self.arguments, &self.folder);
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has said, from its first start on.
    pub fn said(&self) -> String {
        let said = std::fs::read(self.folder.path().join("said.log"));
        String::from_utf8_lossy(&said.unwrap_or_default()).into_owned()
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().expect("no code panics under this lock")
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child());
        // It may have ended by itself.
        kill_process(pid, signal).ok();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(program: &PathBuf, arguments: &[OsString], folder: &TempDir) -> Child {
    let said = File::options()
        .append(true)
        .create(true)
        .open(folder.path().join("said.log"))
        .expect("a file in a folder of ours");
    let both = said.try_clone().expect("an open file");
    Command::new(program)
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(said)
        .stderr(both)
        .spawn()
        .unwrap_or_else(|error| panic!("{} can't be started: {error}", program.display()))
}

/// Debian puts some servers where only root looks for programs.
fn find(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into()]);
    let mut places = folders.map(|folder| folder.join(program));
    let found = places.find(|place| place.is_file());
    found.unwrap_or_else(|| panic!("{program} is missing: run tests/setup.sh"))
}
