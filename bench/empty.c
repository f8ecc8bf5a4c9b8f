// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a static process costs that does nothing.
 */
int main(void)
{
	return 0;
}
