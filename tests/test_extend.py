"""What the page on extending says: each of its files is added to a copy of the package, and is then there."""

from __future__ import annotations

from tests.copied_package import add_file, copy_package, run_copy


def test_a_new_method_is_one_file(bundled, tmp_path):
    copy_package(tmp_path)
    bundled.write(tmp_path / "results")
    before = run_copy(tmp_path, "rank", "results", "--method", "weighted-product")
    assert before.returncode == 2
    assert "weighted-product" not in run_copy(tmp_path, "rank", "--help").stdout
    add_file(tmp_path, "weighted_product.py", "corridor/mcda/methods")
    assert "weighted-product" in run_copy(tmp_path, "rank", "--help").stdout
    after = run_copy(tmp_path, "rank", "results", "--method", "weighted-product", "--robust")
    assert after.returncode == 0, after.stderr
    assert "- weighted product: an alternative at the worst anchor of any criterion scores 0" in after.stdout
    assert "Weighted sum, PROMETHEE II, TOPSIS, VIKOR and Weighted product" in after.stdout
