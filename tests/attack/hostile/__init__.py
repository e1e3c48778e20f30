"""Every file that is read and every option, made hostile."""
