from typing import override

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from uuid_utils.compat import uuid7


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, name: str, password: str | None = None, **flags: bool) -> "User":
        user = self.model(email=email.lower(), name=name, **flags)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, name: str, password: str | None = None) -> "User":
        return self.create_user(email, name, password, is_staff=True, is_superuser=True)

    @override
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who logs in with an e-mail address.

    https://docs.djangoproject.com/en/6.1/topics/auth/customizing/#specifying-a-custom-user-model
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True, help_text="Untick this instead of deleting the account.")
    is_staff = models.BooleanField(default=False, help_text="May log in to the admin.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]  # noqa: RUF012

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.email

    @override
    def clean(self) -> None:
        super().clean()
        self.email = self.email.lower()
