"""Jobs as folders, with real processes that are stopped, killed, resumed and read meanwhile."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from memviz import jobs
from memviz.cli import main
from memviz.io import atomic
from memviz.jobs import files, process
from memviz.jobs.supervisor import supervise
from tests.support.processes import kill, pid, until

ROOT = Path(__file__).parents[2]
COUNTER = ROOT / "tests/support/counter.py"


pytestmark = pytest.mark.usefixtures("jobs_home")


def count(*words, **asked):
    command = [sys.executable, str(COUNTER), *map(str, words)]
    return jobs.start("count", command, resume=["--resume"], **asked)


def counting(*words, **asked):
    """A job that has made a step and waits there until it is told to go on."""
    job = count(*words, "--wait", **asked)
    until(lambda: job.state().step)
    return job


def over(job):
    until(lambda: job.state().over)
    return job.state()


def go(job):
    (job.folder / "go").touch()


def test_a_job_runs_to_its_end():
    job = count(3, title="Three")
    assert over(job).name == "done" and job.state().exit == 0
    rows, offset = job.metrics()
    assert [row["step"] for row in rows] == [0, 1, 2] and all("time" in row for row in rows)
    assert job.metrics(offset) == ([], offset)
    assert job.log_tail(2) == ["step 1", "step 2"]
    assert job.result() == {"counted": 3} and job.silence() >= 0
    assert jobs.find(job.id) == job and jobs.listing() == [job]


def test_outside_a_job_the_workplace_does_nothing(monkeypatch, jobs_home):
    monkeypatch.delenv("MEMVIZ_JOB", raising=False)
    here = jobs.JobContext.from_env()
    here.metric(loss=1.0)
    here.checkpoint(1)
    here.result(model="x")
    assert not here.stopping() and not list(jobs_home.iterdir())


def test_a_stopped_job_leaves_a_checkpoint_and_is_resumed_from_there():
    job = counting(3)
    assert job.state().name == "running"
    assert job.stop().name in ("stopping", "stopped")
    stopped = over(job)
    assert stopped.name == "stopped" and stopped.resumable and "step 1" in stopped.words
    go(job.resume())
    assert over(job).name == "done" and not job.state().resumable
    assert [row["step"] for row in job.every_metric()] == [0, 1, 2]


def test_a_job_that_is_deaf_is_ended_in_the_end():
    job = counting(3, "--deaf", grace=1000.0)
    assert job.stop().name == "stopping"
    assert job.stop().name in ("stopping", "stopped")  # the second wish kills
    assert over(job).name == "stopped" and job.state().exit == -signal.SIGKILL


def test_a_job_that_takes_too_long_is_terminated():
    job = jobs.start("sleep", ["sleep", "1000"], grace=0.0)
    until(lambda: job.state().name == "running")
    job.stop()
    assert over(job).name == "stopped" and job.state().exit == -signal.SIGTERM


def test_a_failure_says_why():
    job = jobs.start("fail", [sys.executable, "-c", "raise SystemExit('No such fox.')"])
    failed = over(job)
    assert (failed.name, failed.exit, failed.lines) == ("failed", 1, ("No such fox.",))
    missing = jobs.start("fail", ["/nowhere/to/be/found"])
    assert over(missing).name == "failed" and "/nowhere" in missing.state().words


def test_a_job_killed_with_its_supervisor_is_lost_and_can_be_resumed():
    job = counting(3)
    kill(pid(job, "process"))
    assert job.state().name == "running"  # the work itself goes on
    kill(pid(job))
    lost = job.state()
    assert lost.name == "lost" and lost.step == 1 and "Resume from step 1" in lost.words
    assert lost.lines == ("step 0",)
    go(job.resume())
    assert over(job).name == "done"


def test_a_killed_worker_is_a_failure_with_its_signal():
    job = counting(3)
    kill(pid(job))
    failed = over(job)
    assert failed.name == "failed" and failed.exit == -9 and "memory" in failed.words


def test_a_job_without_its_supervisor_can_still_be_stopped():
    job = counting(3, "--deaf")
    kill(pid(job, "process"))
    job.stop()
    job.stop()
    assert over(job).name == "lost"


def test_a_pid_that_another_process_got_is_not_taken_for_the_job():
    job = counting(3)
    worker, supervisor = (job.folder / f"{n}.json" for n in ("worker", "process"))
    kill(pid(job, "process"))
    kill(pid(job))
    mine = process.identity(os.getpid())
    for other in ({"ticks": mine["ticks"] - 60}, {"boot": "another"}):
        for file in (worker, supervisor):
            atomic.json(file, mine | other)
        assert job.state().name == "lost"
    for file in (worker, supervisor):  # as versions before ticks wrote it
        atomic.json(file, {"pid": mine["pid"], "started": mine["started"] - 60})
    assert job.state().name == "lost"
    process.signal_group(files.read_json(worker), signal.SIGKILL)  # we are still here


def test_a_clock_that_was_set_hides_no_live_job():
    job = counting(3)
    for name in ("worker", "process"):
        known = files.read_json(job.folder / f"{name}.json")
        atomic.json(job.folder / f"{name}.json", known | {"started": known["started"] - 86_400})
    assert job.state().name == "running"
    with pytest.raises(jobs.JobError, match="stop it before"):
        job.remove()
    for name in ("worker", "process"):  # even if nothing told of its processes any more
        (job.folder / f"{name}.json").unlink()
    with pytest.raises(jobs.JobError, match="still at work"):
        jobs.job.discard(job.folder)
    assert job.folder.is_dir()
    go(job)


def test_a_worker_that_finished_without_its_supervisor_is_done():
    job = counting(2)
    kill(pid(job, "process"))
    go(job)
    done = over(job)
    assert done.name == "done" and not done.resumable and done.since


DAMAGED = [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"kind": "count"}',
           b'{"kind": 1, "title": "", "argv": [], "device": "", "resume": [], "grace": 1, '
           b'"cwd": null, "created": 1}']  # fmt: skip


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_job_is_told_apart_hides_no_other_and_can_be_removed(content, capsys):
    job = count(1)
    over(job)
    broken = jobs.root() / "20260102-030405-0123456789abcdef"
    broken.mkdir()
    (broken / "job.json").write_bytes(content)
    assert jobs.listing() == [job] and [found.id for found in jobs.damaged()] == [broken.name]
    with pytest.raises(jobs.JobError, match="Remove it: "):
        jobs.find(broken.name)
    assert main(["jobs", "--json"]) == 0
    (whole, told) = json.loads(capsys.readouterr().out)
    assert whole["state"] == "done" and told["state"] == "damaged" and "job.json" in told["words"]
    assert main(["jobs"]) == 0 and main(["jobs", "remove", broken.name]) == 0
    assert not broken.exists() and jobs.listing() == [job]


@pytest.mark.parametrize("name", ["process", "worker", "outcome", "checkpoint", "result", "job"])
@pytest.mark.parametrize("content", [*DAMAGED[:6], b'{"state": "odd", "pid": "x", "step": []}'])
def test_no_damaged_file_of_a_job_stops_a_listing(name, content, jobs_home):
    job = jobs.job.Job(jobs.root() / "20260102-030405-0123456789abcdef", {})
    job.folder.mkdir(parents=True)
    asked = {"kind": "count", "title": "", "argv": ["true"], "device": "", "resume": []}
    atomic.json(job.folder / "job.json", asked | {"grace": 1, "cwd": None, "created": 0})
    (job.folder / f"{name}.json").write_bytes(content)
    assert main(["jobs"]) == main(["jobs", "--json"]) == 0
    assert len(jobs.listing()) + len(jobs.damaged()) == 1


def test_a_named_pipe_in_the_place_of_a_record_is_damage_and_nobody_waits_for_it(jobs_home):
    folder = jobs.root() / "20260102-030405-0123456789abcdef"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "job.json")
    assert "no regular file" in jobs.damaged()[0].reason
    (jobs.root() / "20260102-030406-0123456789abcdef").write_text("a file")
    assert len(jobs.damaged()) == 2 and jobs.listing() == []


def test_a_look_at_a_job_costs_the_same_however_much_it_wrote(tmp_path):
    job = jobs.job.Job(tmp_path, {})
    with (tmp_path / "metrics.jsonl").open("wb") as file:
        file.truncate(200 * 2**20)  # sparse
        file.seek(0, os.SEEK_END)
        file.write(b'\n{"step": 7}\n')
    offset = (tmp_path / "metrics.jsonl").stat().st_size
    files.append_line(tmp_path / "metrics.jsonl", {"step": 8})
    (tmp_path / "log.txt").hardlink_to(tmp_path / "metrics.jsonl")
    before = bytes_read()
    assert job.last_metric() == {"step": 8} and job.metrics(offset)[0] == [{"step": 8}]
    assert job.log_tail(1) == ['{"step": 8}']
    assert bytes_read() - before < 3 * files.TAIL


def bytes_read() -> int:
    """What this process has asked the system to read so far."""
    return int(Path("/proc/self/io").read_text().split("rchar:")[1].split()[0])


def test_an_ended_process_that_nobody_reaped_is_not_alive():
    child = subprocess.Popen([sys.executable, "-c", ""])
    known = process.identity(child.pid)
    until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE)
    assert not process.alive(known)
    child.wait()
    assert not process.alive(known)


def test_jobs_of_one_device_run_in_order_and_others_beside_them():
    one, two, three = counting(1), count(1), count(1)
    other, free = count(1, device="cuda"), count(1, device="")
    assert over(other).name == over(free).name == "done"
    assert two.state().name == three.state().name == "queued"
    assert two.stop().name in ("stopping", "stopped") and over(two).name == "stopped"
    assert one.state().name == "running" and not (two.folder / "worker.json").exists()
    go(one)
    assert over(one).name == over(three).name == "done"


def test_the_queue_passes_over_a_job_that_died_in_it():
    one, two, three = counting(1), count(1), count(1)
    kill(pid(two, "process"))
    assert two.state().name == "lost"
    go(one)
    assert over(three).name == "done"


def test_the_device_stays_taken_while_an_orphan_works():
    one = counting(1)
    kill(pid(one, "process"))
    two = count(1)
    assert two.state().name == "queued"
    supervise(one.folder)  # a second supervisor finds the job taken and leaves
    go(one)
    assert over(two).name == "done"


def test_a_job_outlives_the_app_that_started_it_and_a_second_app_sees_the_same(jobs_home):
    code = (
        "import sys; from memviz import jobs; "
        "print(jobs.start('count', [sys.executable, *sys.argv[1:]]).id, flush=True); input()"
    )
    app = subprocess.Popen(
        [sys.executable, "-c", code, str(COUNTER), "2", "--wait"],
        **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT},
    )
    job = jobs.find(app.stdout.readline().strip())
    app.kill()
    app.communicate()
    until(lambda: job.state().step)
    assert job.state().name == "running"
    go(job)
    assert over(job).name == "done"


def test_two_apps_that_resume_one_job_run_it_once():
    job = counting(3)
    job.stop()
    over(job)
    code = "import sys; from memviz import jobs; jobs.find(sys.argv[1]).resume()"
    apps = [
        subprocess.Popen([sys.executable, "-c", code, job.id], cwd=ROOT, stderr=-3)
        for _ in range(2)
    ]
    for app in apps:
        app.wait()
    go(job)
    assert over(job).name == "done"
    assert [row["step"] for row in job.every_metric()] == [0, 1, 2]


def test_a_clone_starts_from_the_beginning_in_its_own_folder():
    job = jobs.start("write", [sys.executable, "-c", "import sys; print(sys.argv[1])", "{job}/x"])
    over(job)
    twin = job.clone()
    over(twin)
    assert twin.id != job.id and twin.asked["clone_of"] == job.id
    assert twin.log_tail(1) == [str(twin.folder / "x")]


def test_only_what_runs_is_stopped_and_only_what_broke_off_is_resumed():
    job = count(1)
    over(job)
    with pytest.raises(jobs.JobError, match="done; only one under way"):
        job.stop()
    with pytest.raises(jobs.JobError, match="done; only a stopped"):
        job.resume()


def test_only_a_job_that_is_over_is_removed_with_all_that_it_made(jobs_home):
    job = counting(2)
    with pytest.raises(jobs.JobError, match="running; stop it before"):
        job.remove()
    go(job)
    over(job)
    until(lambda: not process.alive(files.read_json(job.folder / "process.json")))
    job.remove()
    assert jobs.listing() == [] and [*jobs.root().glob(f"*{job.id}*")] == []


@pytest.mark.parametrize("name", ["", "../..", "x", None])
def test_an_id_is_never_a_path(name):
    with pytest.raises(jobs.JobError, match="not a job id"):
        jobs.find(name)


def test_a_metrics_file_cut_within_a_line_is_read_on(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 0}\n{"ste')
    rows, offset = files.json_lines(path)
    assert rows == [{"step": 0}] and offset == 12
    with path.open("a") as file:
        file.write('p": 1}\n')
    assert files.json_lines(path, offset)[0] == [{"step": 1}]


def test_a_line_cut_by_a_killed_writer_costs_that_line_only(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 0}\n{"ste')
    files.append_line(path, {"step": 2})
    assert [row["step"] for row in files.json_lines(path)[0]] == [0, 2]


def test_a_log_of_200_megabytes_is_read_from_its_end(tmp_path):
    path = tmp_path / "log.txt"
    with path.open("wb") as file:
        file.truncate(200 * 2**20)  # sparse
        file.seek(0, os.SEEK_END)
        file.write(b"\n10%\r50%\r100%\nlast \xff line\n")
    before = psutil.Process().memory_info().rss
    assert files.tail(path, 2) == ["100%", "last \ufffd line"]
    assert psutil.Process().memory_info().rss - before < 20 * 2**20


def small_disk(place):
    """A file system of 64 KiB, where the machine lets us make one."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", place], capture_output=True
    )
    if done.returncode:
        pytest.skip("mounting a small file system is not allowed here")


def test_a_full_disk_fails_the_job_with_a_sentence(tmp_path, monkeypatch):
    place = tmp_path / "small"
    place.mkdir()
    small_disk(place)
    try:
        monkeypatch.setenv("MEMVIZ_HOME", str(place))
        job = count(100_000)
        failed = over(job)
        assert failed.name == "failed" and "full" in failed.words
        assert failed.step is not None and job.metrics()[0]
        json.loads((job.folder / "checkpoint.json").read_text())  # the last one is whole
        until(lambda: not process.alive(files.read_json(job.folder / "process.json")))
    finally:
        subprocess.run(["umount", place], check=True)


def test_the_command_line_does_the_same_without_a_browser(capsys):
    job = counting(2)

    def say(*words):
        code = main(["jobs", *words, "--json"])
        told = capsys.readouterr()
        return code, told.out and json.loads(told.out), told.err

    assert [j["state"] for j in say()[1]] == ["running"]
    assert say("stop", job.id)[0] == 0
    over(job)
    go(job)
    assert say("resume", job.id)[0] == 0
    code, (told,), shown = say("follow", job.id)
    assert code == 0 and told["state"] == "done" and "step 1" in shown
    assert told["checkpoint"] == 2 and told["result"] == {"counted": 2}
    assert say("stop", job.id)[0] == 2 and say("follow", "nothing")[0] == 2
    main(["jobs"])
    assert job.id in capsys.readouterr().out
    assert say("remove", job.id)[1][0]["state"] == "removed" and not job.folder.exists()
    assert say("remove", job.id)[0] == 2
