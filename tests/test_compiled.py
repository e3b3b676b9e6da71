from napari_cresunet._compiled import compiled


def test_what_is_compiled_does_the_same():
    @compiled
    def triangle(count: int) -> int:
        total = 0
        for i in range(count):
            total += i
        return total

    assert triangle(10) == 45


def test_without_a_place_to_keep_machine_code_functions_are_compiled_all_the_same():
    # Code without a file has none.
    names = {}
    exec("def double(value): return 2 * value", names)
    assert compiled(names["double"])(21) == 42
