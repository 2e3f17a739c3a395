from measure_start import measure_start, slowest_imports


def test_a_start_is_timed_to_ready_and_to_the_first_field() -> None:
    start = measure_start("onnx")
    assert start.ready_s > 0
    assert start.first_count_s > 0


def test_the_slowest_imports_are_listed() -> None:
    times = [float(line.split()[0]) for line in slowest_imports()]
    assert len(times) == 12
    assert times == sorted(times, reverse=True)
