import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from app.items.models import Item
from app.jobs.models import Job
from app.users.models import User

PASSWORD = "correct horse battery"


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", email="Root@Example.com", name="Root", interactive=False, verbosity=0)
    client = Client()
    login = client.post("/admin/login/?next=/admin/", {"username": "ROOT@example.com", "password": PASSWORD})
    assert (login.status_code, login["Location"]) == (302, "/admin/")
    return client


def test_the_admin_works(admin: Client, item: Item) -> None:
    job = Job.objects.create(owner=item.owner)
    for page in (
        "/admin/",
        "/admin/users/user/?q=root",
        "/admin/users/user/add/",
        f"/admin/users/user/{item.owner_id}/change/",
        "/admin/items/item/?q=tea",
        f"/admin/items/item/{item.id}/change/",
        "/admin/jobs/job/?q=ada",
        f"/admin/jobs/job/{job.id}/change/",
        "/admin/autocomplete/?app_label=items&model_name=item&field_name=owner&term=ada",
    ):
        assert admin.get(page).status_code == 200, page


def test_the_admin_adds_a_user(admin: Client) -> None:
    fields = {"email": "New@Example.com", "name": "New", "usable_password": "true"}
    response = admin.post("/admin/users/user/add/", fields | {"password1": PASSWORD, "password2": PASSWORD})
    assert response.status_code == 302
    assert User.objects.get(email="new@example.com").check_password(PASSWORD)


def test_lists_take_the_same_number_of_statements_however_long_they_are(
    admin: Client, ada: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        Item.objects.create(owner=ada, title="Tea", body="")
    with django_assert_num_queries(4):
        admin.get("/admin/items/item/")


def test_a_change_in_the_admin_reaches_the_api(admin: Client, item: Item, client: Client) -> None:
    assert client.get(f"/api/v1/items/{item.id}").json()["title"] == "Tea"
    fields = {"owner": str(item.owner_id), "title": "Coffee", "body": ""}
    assert admin.post(f"/admin/items/item/{item.id}/change/", fields).status_code == 302
    assert client.get(f"/api/v1/items/{item.id}").json()["title"] == "Coffee"


def test_the_address_without_its_slash(client: Client) -> None:
    assert client.get("/admin")["Location"] == "/admin/"
