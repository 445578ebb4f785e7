from densegt.report.tiles import select_keyframes


def keys(samples, channels=("CAM_BACK", "CAM_FRONT")):
    return [(f"s{i}", c) for i in range(samples) for c in channels]


def test_everything_fits():
    chosen = select_keyframes({"a": keys(3)}, 100)
    assert [[k[0] for k in m] for m in chosen["a"]] == [["s0", "s0"], ["s1", "s1"], ["s2", "s2"]]
    assert [k[1] for k in chosen["a"][0]] == ["CAM_FRONT", "CAM_BACK"]


def test_keyframes_are_spread_over_time():
    assert [m[0][0] for m in select_keyframes({"a": keys(11)}, 6)["a"]] == ["s0", "s5", "s10"]
    assert [m[0][0] for m in select_keyframes({"a": keys(11)}, 3)["a"]] == ["s5"]


def test_scenes_are_spread_and_the_limit_holds():
    scenes = {f"scene-{i}": keys(10) for i in range(9)}
    for limit in (1, 2, 7, 18, 50):
        chosen = select_keyframes(scenes, limit)
        assert 0 < sum(len(m) for s in chosen.values() for m in s) <= limit
    assert list(select_keyframes(scenes, 6)) == ["scene-0", "scene-4", "scene-8"]


def test_nothing_to_show():
    assert select_keyframes({"a": keys(3)}, 0) == {}
    assert select_keyframes({"a": []}, 5) == {}
    assert select_keyframes({}, 5) == {}


def test_unknown_channels_come_last():
    (keyframe,) = select_keyframes({"a": keys(1, ("CAM_A", "CAM_BACK_RIGHT", "CAM_FRONT"))}, 9)["a"]
    assert [k[1] for k in keyframe] == ["CAM_FRONT", "CAM_BACK_RIGHT", "CAM_A"]
